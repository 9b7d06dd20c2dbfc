// Package sendertest plays the receivers that the product sends to: a Slack or
// generic webhook, the Monday GraphQL API and a mail server. Tests start them on
// a port of this machine, change how they behave while they run, stop and
// restart them on the same address, and ask what arrived.
//
// It promises that a recorded request or mail is exactly what was received, and
// that every fake ends with the test. It is for tests only and knows nothing of
// the senders.
package sendertest
