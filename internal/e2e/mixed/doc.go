// Package mixed tests clusters of which one server is Go's and one Node.js', with
// npm's adapters.
package mixed
