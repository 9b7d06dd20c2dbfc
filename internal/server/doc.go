// Package server is the HTTP side of the program: the chat API, health and
// readiness, metrics, the OpenAPI document with a page to read it, and the chat
// page.
//
// It promises that every request is answered in bounded time and size, that an
// error never shows anything internal, that a panic in a handler ends one
// request and not the process, and that a server told to stop finishes what it
// has begun. Logs and metrics name routes, never paths, queries or visitors.
//
// It holds no rules of the product. What a chat answers and what is healthy is
// decided by the functions and interfaces that Options carries.
package server
