// Package chatops is the domain: the things the product is about (conversations,
// leads, alerts and their delivery, operator actions), the rules that hold
// wherever they are stored, and the ports through which the rest of the program
// reaches a store, a queue or an integration.
//
// It promises to import the standard library only, so every other package may
// import it. It does no I/O: adapters such as postgres, sqlite and sender do.
package chatops
