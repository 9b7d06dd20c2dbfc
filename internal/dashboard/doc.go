// Package dashboard is the live view of an incident in a terminal: the queue,
// the causes of trouble, breakers, limits, jobs and replicas, with the actions of
// the runbook behind a key.
//
// It promises that a number on the screen was read from its source, is shown with
// its age, and is dimmed and called STALE or ERROR when it is no longer fresh;
// that what is not known is called unknown and never 0; that nothing is changed
// without a question that names the place and the exact count; and that the
// terminal is left as it was found.
//
// It reads through the ports of the domain and changes things only by running the
// runbook's own commands, which cmd/chatops hands in. Update does no I/O: sources
// are read by commands of bubbletea, each by itself, never twice at once.
package dashboard
