// Package quiet is the Charm guard. bubbletea asks the terminal for its colours
// as soon as it is linked, in every command of the program, and waits seconds
// where none answers. Saying beforehand that the background is dark spares the
// question. The path of this package sorts before bubbletea's, and packages whose
// imports are ready are initialised in that order.
package quiet

import "github.com/charmbracelet/lipgloss"

//nolint:gochecknoinits // it has to come before the init of a dependency
func init() { lipgloss.SetHasDarkBackground(true) }
