// Package runbook is the command line: every command an operator types, with
// its flags, its questions before a change, its output formats and its exit
// codes. One file holds one command, <noun>_<verb>.go; commands.go lists them.
//
// It promises that data goes to standard output and everything else to
// standard error; that help, version and completion open nothing; that a change
// is announced with its environment, database and exact count, asked for, and
// written down as an operator action; that text from a database can never
// command the terminal or a spreadsheet; and that no password is printed.
//
// It knows stores, servers and the delivery engine only as functions of Env,
// which cmd/chatops fills in. It handles no signals: a cancelled context is an
// interrupt.
package runbook
