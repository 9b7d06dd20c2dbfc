// Package storetest is the conformance suite of chatops.Store: what every store
// must do, whichever engine is behind it. A store package runs it from one test:
//
//	func TestConformance(t *testing.T) { storetest.Run(t, newHarness) }
//
// It promises that a store which passes keeps what the comments of
// chatops.ConversationStore, LeadStore, OnceStore, ConsentStore, Queue and
// AlertStore say, including the parts that only show under concurrency:
// model-based tests play random histories of claims, crashes, expiries and edits
// by hand, and of repeated requests, against obviously right models.
//
// It does not test what belongs to one engine: migrations, connection loss,
// files, query plans. A change of a store port needs a test here first.
package storetest
