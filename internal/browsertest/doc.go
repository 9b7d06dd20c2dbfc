// Package browsertest drives a real Chromium for tests, over the pipe of the
// DevTools protocol: no driver, no web socket, no library. It promises that no
// browser outlives its test. It does not look for a browser: tests that use it
// are skipped unless BROWSER names one, as `make test-browser` does.
package browsertest
