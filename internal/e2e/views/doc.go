// Package views renders the same directories of views with npm's express-handlebars and with package handlebars, and
// compares the bytes.
//
// A file of testdata is one directory of views, in the txtar format. Its site.json says how both engines are set up and
// what is rendered; the helpers are in node/render.mjs and in views_test.go, the same ones under the same names.
package views
