// Package doctor examines the whole system: each symptom that the runbook knows
// is a check with a state, what was seen in words and numbers, the cause, and the
// command that repairs it.
//
// Checks run side by side, each with its own time. One that cannot find out is
// unknown, and never ok. Nothing is changed, and no message is sent. What it
// looks at is handed in as a Patient; how results are shown is not its concern.
package doctor
