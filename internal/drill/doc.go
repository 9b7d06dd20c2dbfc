// Package drill holds the exercises of on-call engineers: a private installation
// with receivers that are played, something that is broken, and the look that
// tells when it is repaired.
//
// A drill tells the symptom and never the cause. It touches nothing but its own
// folder and loopback ports. Who runs the installation, and how its commands are
// typed, is not known here.
package drill
