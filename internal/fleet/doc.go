// Package fleet makes one process a replica among others: it takes the orders
// of operators from the database to the parts that obey them, and tells the
// database how this process does.
//
// It promises that an order is obeyed within a second of its commit while the
// database answers, that the last orders stay in force while it does not, and
// that a replica which ends is forgotten at once. A replica that is killed stops
// reporting; whoever reads its last heartbeat sees how old it is.
//
// What the orders mean is not known here: breakers and limits apply their own.
package fleet
