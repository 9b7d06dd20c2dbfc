// Package docs holds the documents that the program carries, so that what they
// tell an engineer to type can be typed by a drill.
package docs

import _ "embed"

// Operations is operations.md: symptom first, then what to type.
//
//go:embed operations.md
var Operations string
