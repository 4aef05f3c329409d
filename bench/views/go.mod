module github.com/zocalo-go/zocalo/bench/views

go 1.26.0

require github.com/zocalo-go/zocalo v0.0.0

require (
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/aymerick/raymond v2.0.2+incompatible // indirect
	github.com/go-chi/chi/v5 v5.5.0 // indirect
	golang.org/x/text v0.42.0 // indirect
)

replace github.com/zocalo-go/zocalo => ../..
