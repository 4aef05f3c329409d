// Package handlebars renders views written in Handlebars 4.7: it is to package app what express-handlebars is to
// Express, and templates from there render here byte for byte as they do there.
//
// Three names to start with: [New] makes an [Engine] from a [Config], and [Helpers] are the Go functions that
// templates call.
//
//	server.Engine("handlebars", handlebars.New(handlebars.Config{
//		Helpers: handlebars.Helpers{"upper": strings.ToUpper},
//	}))
//	server.Set("view engine", "handlebars")
//
// # Views
//
// A page views/index.handlebars is rendered, and then views/layouts/main.handlebars around it, which writes it as
// {{{body}}}. {{> nav/item}} is views/partials/nav/item.handlebars. [RenderOptions] name another layout for one page; a
// page, or a layout, names its own in a comment at its start: {{!< admin}}. What a page sets with
// {{#section "head"}}…{{/section}}, its layouts write with {{{section "head"}}}.
//
// With the setting "view cache" off, which is the default in development, an edit shows on the next request; with it
// on, a file is read and compiled once.
//
// # Data
//
// Maps, structs, slices, arrays, pointers to them, numbers, text, iterators (iter.Seq, iter.Seq2) and functions.
// {{url}} is a field tagged handlebars:"url" or json:"url", a field URL, or one that differs in case only; a tag
// handlebars:"-" hides a field, and unexported fields never show. Maps are walked in the order of their keys; an
// [Object] has an order of its own. Numbers are written as JavaScript writes them. A template never calls a method,
// but String (fmt.Stringer) and Error when it writes a value, and those of an Object.
//
// Nil, and a nil pointer, map or slice, are null. Names are looked up in the context alone, not in those around it.
//
// # Errors
//
// Every error is an [*Error] with a file, a line and a column, worded as handlebars.js words it:
//
//	views/partials/nav.handlebars:3:12: each doesn't match if
//
// A helper that panics, a partial that includes itself, a page whose context is cancelled: all are errors; nothing of
// the page is sent then.
//
// # How it works
//
// The parser is raymond's, behind a pass that checks templates and lowers Handlebars 4 to the Handlebars 3 that it
// reads (package internal/syntax). The tree is compiled to closures, which append to one pooled buffer. An Engine may
// be used by many goroutines at once. The package starts none of its own; raymond's parser starts one for each template
// it parses, which ends with it.
package handlebars
