// Package llm makes one call to a chat completions endpoint that speaks the
// protocol of OpenAI, within bounds that hold whatever the endpoint does.
//
// A call ends within its total deadline, sooner when no byte arrives for the
// idle time. At most a bounded number of bytes is read and a bounded text
// returned. Nothing is repeated, no redirect is followed, and when a call has
// ended no goroutine of it is left; a connection is kept only when its answer
// was read to the end. Every error is an *Error of a known Kind whose text holds
// neither the key nor anything that was sent or received.
//
// The answer is asked for as a stream of server-sent events; an endpoint that
// ignores the wish and answers one JSON document is understood too.
//
// The package knows nothing of prompts, knowledge or breakers, and does not
// judge what the model wrote: its caller does.
package llm
