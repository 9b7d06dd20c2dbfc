// Package pgtest gives a test a real PostgreSQL database. It is imported by
// tests only.
//
// New and Template serve ordinary tests: each call returns a database of its
// own on one server that the whole test process shares. That server is the one
// at TEST_DATABASE_URL when the variable is set, and otherwise a private one
// that is started on first use from the installed programs, in a temporary
// directory and on a free loopback port, and that ends with the process, even
// when the process is killed. Ordinary tests need no durability, so the shared
// server runs without fsync.
//
// Start serves tests of faults: a dedicated server that the test may stop, kill,
// freeze and start again on the same port.
//
// A missing PostgreSQL fails the test and never skips it. Servers started here
// live in the time zone Europe/Warsaw, so that code which forgets that times
// are UTC is found out.
//
// A package that uses it declares
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
package pgtest
