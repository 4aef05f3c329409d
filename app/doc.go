// Package app is Express's application, router, request and response for Go, on net/http and chi.
//
// Three names to start with: [New] makes an application, [Handler] is what you register on it, and
// [Response] is how a handler answers.
//
//	server := app.New()
//	server.Engine("handlebars", handlebars.New(handlebars.Config{}))
//	server.Set("view engine", "handlebars")
//	server.Use(app.Static("public"))
//	server.Get("/", func(req *app.Request, res *app.Response) error {
//		return res.Render("index", app.Map{"title": "Zócalo"})
//	})
//	if err := server.Listen(""); err != nil {
//		log.Fatal(err)
//	}
//
// # Handlers
//
// A [Handler] either answers, or passes the request on with
//
//	return req.Next()          // next()
//	return err                 // next(err)
//	return app.NextRoute       // next('route')
//	return app.NextRouter      // next('router')
//
// [Request.Next] runs everything that was registered later and returns its error, so that a middleware can
// time it, roll a transaction back or recover. A returned error, or a panic, goes to the error handlers
// ([Router.OnError]) registered after the place where it came up: those of the inner router first. What they
// leave is answered by the application: in production with the status text and nothing else, in development
// with a page that shows the error, its causes and its place.
//
// # Bodies
//
// [Request.Bind] reads JSON, forms, uploads and queries into a value; [Request.Text], [Request.Bytes] and [Request.File]
// read what there is. The body parsers of Express are there, too: [JSON], [URLEncoded], [Text] and [Raw].
//
// # Order
//
// Things run in the order in which they were registered, as in Express: middleware, routes, routers and error
// handlers stand in one list. Between two of the others, routes share one index, a map of first segments and a chi.Mux,
// which finds those that can match a path in one look-up, whatever their number.
//
// # Paths
//
// Both spellings work, and mix:
//
//	/users/:id         a parameter: one segment, or a part of one (/:from-:to, /:name.:ext)
//	/files/*path       a wildcard: the rest, with its slashes
//	/posts{/:page}     an optional part
//	/:"odd-name" \:    a quoted name; a backslash takes the next character literally
//	/users/{id}        chi's parameter
//	/users/{id:[0-9]+} chi's parameter with a regular expression that the whole value must match
//
// Letters match in either case and a slash at the end may be missing or added, unless the settings
// "case sensitive routing" and "strict routing" (or [RouterConfig]) say otherwise.
//
// # net/http all the way
//
// [Request] embeds *http.Request and [Response] embeds http.ResponseWriter, nothing in them is hidden or
// renamed, and an [App] is an http.Handler. [Router.UseHTTP] takes any func(http.Handler) http.Handler,
// [Router.Mount] any http.Handler; both see the URL as the client sent it. http.NewResponseController works on
// every ResponseWriter in the chain, so a handler can flush, set deadlines and take the connection over behind
// any middleware.
//
// # Environment
//
//	ZOCALO_ENV    "development" or "production"; production when it is not set
//	ZOCALO_ROUTES a file to write the routes to, instead of serving: devserver routes
//	PORT          where Listen("") listens; 8080 when it is not set
//	LISTEN_FDS    1: Listen serves on the listener inherited as file descriptor 3
//	ZOCALO_LISTEN host:port where Listen listens, whatever it is given; devserver sets it on Windows
//	ZOCALO_DEV    host:port of the development server, which sets it itself
//
// The development server also connects each process with the next by a pipe (ZOCALO_SUCCESSOR, ZOCALO_PREDECESSOR), in
// which mounted handlers whose clients can resume, realtime.Server with Config.Recovery, pass on their sessions.
//
// # Concurrency
//
// Register everything before the first request: an App, a Router and their settings are read without locks
// while they serve. A Request and its Response belong to the goroutine that serves them and are used again for
// another request when it is over: a goroutine that outlives the handler takes copies of what it needs.
//
// The package starts these goroutines and waits for each:
//
//	App.Serve         one that accepts (http.Server.Serve), one for each mounted handler while it shuts down
//	net/http          one for each connection; http.Server.Shutdown waits for those with a request
package app
