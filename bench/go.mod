module github.com/zocalo-go/zocalo/bench

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	golang.org/x/sys v0.48.0
)
