//go:build !race

package handlebars_test

const raceEnabled = false
