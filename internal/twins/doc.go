// Package twins holds twenty small applications that exist twice, on npm's express (node/apps.mjs) and on package app
// (apps_test.go), and a test that asks both the same questions and compares the answers: status, headers and bodies,
// with cookies, sessions and uploads.
//
// Where Node or npm is not on the machine the test is skipped and says so, unless ZOCALO_REQUIRE_ALL=1 is set: then their
// absence is a failure.
package twins
