// Package redistest gives a test a real Redis. It is imported by tests only.
//
// New serves ordinary tests: each call returns the URL of an empty numbered
// database of its own. The server behind it is the one at TEST_REDIS_URL when
// the variable is set, and otherwise a private one that is started on first use
// from the installed program, in a temporary directory and on a free loopback
// port, and that ends with the test process, even when that is killed. Channels
// of PUBLISH and loaded scripts are shared by all databases of a server; a test
// that minds takes a server of its own.
//
// Start serves tests of faults: a dedicated server that the test may stop, kill,
// freeze and start again on the same port. StartSentinels and StartCluster serve
// tests of several together.
//
// A missing Redis fails the test and never skips it.
//
// A package that uses it declares
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
package redistest
