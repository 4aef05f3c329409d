package templates

// What the templates import is linked into devserver, so that whoever has
// installed it can build a new app without a network.
import (
	_ "github.com/zocalo-go/zocalo/app"
	_ "github.com/zocalo-go/zocalo/app/handlebars"
	_ "github.com/zocalo-go/zocalo/realtime"
	_ "github.com/zocalo-go/zocalo/realtime/adapter/nats"
	_ "github.com/zocalo-go/zocalo/realtime/adapter/postgres"
	_ "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)
