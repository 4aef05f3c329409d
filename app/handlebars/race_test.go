//go:build race

package handlebars_test

// raceEnabled reports that sync.Pool drops what it is given now and then.
const raceEnabled = true
