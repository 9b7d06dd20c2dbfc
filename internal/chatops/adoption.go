package chatops

import "context"

// Adoption tells what taking over the database of an older application did, or
// in a preview would do.
type Adoption struct {
	Tables   []AdoptedTable    `json:"tables"`
	Findings []AdoptionFinding `json:"findings"`
	// Copy is the file that the database was copied to before anything was
	// changed; "" where none was made (PostgreSQL, a preview).
	Copy string `json:"copy,omitempty"`
}

// AdoptedTable is the reconciliation of one older table: RowsBefore is the sum
// of Kept and Archived, or the adoption is rolled back.
type AdoptedTable struct {
	Table      string `json:"table"`       // where the rows are now
	From       string `json:"from"`        // the older table's name
	RowsBefore int64  `json:"rows_before"` // rows of the older table
	Kept       int64  `json:"kept"`        // rows that are in Table now
	Archived   int64  `json:"archived"`    // rows that are in adoption_archive instead
	// Changed is how many of the kept rows had values that do not fit: their
	// originals are in adoption_archive too.
	Changed   int64            `json:"changed"`
	RowsAfter int64            `json:"rows_after"` // rows of Table when it was done, from all older tables
	Reasons   []AdoptionReason `json:"reasons"`    // why rows were archived or changed
}

// AdoptionReason is a reason as adoption_archive.reason has it. A row may have
// several.
type AdoptionReason struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// AdoptionFinding is a difference between the older database and what this
// program needs, and the rule by which it is resolved.
type AdoptionFinding struct {
	Kind  string `json:"kind"` // snake_case, stable
	Table string `json:"table"`
	Count int64  `json:"count"` // rows, or columns where the rule speaks of columns
	Rule  string `json:"rule"`
}

// MigrationReport is everything that Migrate did.
type MigrationReport struct {
	Current  int64 // the schema's version now
	Latest   int64
	Applied  []Migration
	Adoption *Adoption // nil: there was nothing to adopt
}

// Migrate applies what is pending and takes over an older database, and returns
// what it did. Errors are those of Migrator.Up.
func Migrate(ctx context.Context, m Migrator) (*MigrationReport, error) {
	applied, err := m.Up(ctx)
	if err != nil {
		return nil, err
	}
	status, err := m.Status(ctx)
	if err != nil {
		return nil, err
	}
	return &MigrationReport{Current: status.Current, Latest: status.Latest, Applied: applied, Adoption: m.Adopted()}, nil
}
