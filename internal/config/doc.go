// Package config is the program's settings: one struct whose fields carry the
// name, default, form and meaning of each setting as tags. The flags, the
// environment variables, the file's keys, `config view`, validation and the
// table in README derive from those tags and from nothing else.
//
// It promises that a bad value never starts the program: every problem is
// reported at once with the key, the value and the expected form, and a
// secret's value is never part of any text this package makes. Types that hold
// secrets redact themselves however they are printed.
//
// It opens nothing but the settings file and the files that NAME_FILE variables
// point at, and it checks forms, not reachability.
package config
