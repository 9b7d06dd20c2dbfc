package migrations

import (
	"context"

	"chatops/internal/chatops"
)

// PreviewAdoption returns what Up would take over and changes nothing; nil when
// there is nothing to take over.
func (m *Migrator) PreviewAdoption(context.Context) (*chatops.Adoption, error) {
	return nil, nil //nolint:nilnil // the port says so
}

// Adopted returns what the last Up took over; nil when that was nothing.
func (m *Migrator) Adopted() *chatops.Adoption { return m.adopted }
