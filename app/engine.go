package app

import (
	"context"
	"io"
	"io/fs"
)

// An Engine turns a view into text. An application has one for each file extension: see [App.Engine]. Render may be
// called by many goroutines at once. An error that knows its place in a source file implements [Positioned].
type Engine interface {
	Render(w io.Writer, view View) error
}

// A View is what an [Engine] is asked to render.
type View struct {
	Context context.Context // of the request; nil outside of one
	FS      fs.FS           // the directory of the setting "views"; of several, the one that has the file
	Name    string          // the file in FS, with its extension: "users/show.handlebars"
	Data    Map             // App.Locals, Response.Locals and the data given to Render, later ones first; never nil
	Options []any           // what Render was given that is no Map: the options of an engine, which refuses what it does not know
	Cache   bool            // setting "view cache": what was compiled may be kept, files do not change
}

// Positioned is an error that knows where in a source file it came up. The development page shows the excerpt.
type Positioned interface {
	error
	Position() (file string, line, column int) // line and column count from 1; 0 is unknown
	Excerpt() string                           // the lines around it with their numbers, and a caret below the place
}
