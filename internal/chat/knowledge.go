package chat

// Package is a finishing package of the price list.
type Package struct {
	Name    string
	Aliases []string
}
