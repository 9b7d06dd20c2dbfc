// Package testserver runs a real server program as a private child of a test
// process. It is the ground that pgtest and redistest stand on, and is imported
// by tests only.
//
// Its promise: a server never outlives the test process, however that process
// ends. Every server has a small supervising shell that holds the reading end
// of a pipe whose writing end only the test process has. When the test process
// exits, panics or is killed, the pipe closes, and the shell stops the server
// and removes its directory. No goroutine stays behind in the test process, so
// leak checks see nothing of it.
//
// It does not know what the server is: finding the program, writing its
// configuration and deciding when it is ready belong to the importing package.
package testserver
