// Package followup writes to visitors who have stopped writing.
//
// A Planner looks for whom a follow-up is due, writes text and mail, and has the
// store plan each: event, chat message and queued mail in one transaction, which
// looks again under lock and which only one of several planners wins. It promises
// nothing about sending: the mail goes through the delivery queue, and consent is
// read once more right before it leaves.
package followup
