//go:build race

package app_test

// raceEnabled reports that sync.Pool drops what it is given now and then.
const raceEnabled = true
