package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"chatops/internal/chatops"
)

func checkDatabase(ctx context.Context, p *Patient) (Result, error) {
	broken := func(err error) (Result, error) {
		return found([]Finding{{
			Problem, "the database does not answer", wordError(ctx, err, p.timeout),
			cmp.Or(p.StoreCommand, "chatops config view --show-origin"),
		}}, ""), nil
	}
	if p.Store == nil {
		return broken(p.StoreErr)
	}
	start := time.Now()
	facts, err := p.Store.Database(ctx)
	if err != nil {
		return broken(err)
	}
	return found(nil, fmt.Sprintf("%s %s, %s, answers in %s", facts.Engine, facts.Version, Size(facts.Bytes), milliseconds(time.Since(start)))), nil
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// Size words a number of bytes.
func Size(n int64) string {
	const unit = 1024
	size := float64(n)
	for _, name := range []string{"B", "KiB", "MiB", "GiB"} {
		if size < unit {
			return fmt.Sprintf("%.4g %s", size, name)
		}
		size /= unit
	}
	return fmt.Sprintf("%.4g TiB", size)
}

func checkMigrations(ctx context.Context, p *Patient) (Result, error) {
	s, err := p.SchemaFunc(ctx)
	if err != nil {
		return Result{}, err
	}
	var list []Finding
	switch {
	case len(s.Pending) > 0:
		list = append(list, Finding{
			Problem, fmt.Sprintf("%s pending: the schema is at version %d of %d", chatops.Count(len(s.Pending), "migration"), s.Current, s.Latest),
			"the program is newer than the database", "chatops migrate up",
		})
	case s.Current > s.Latest:
		list = append(list, Finding{
			Warning, fmt.Sprintf("the schema is at version %d, this program knows up to %d", s.Current, s.Latest),
			"a newer program has migrated the database", "chatops version",
		})
	}
	return found(list, fmt.Sprintf("the schema is at version %d of %d", s.Current, s.Latest)), nil
}

// The least room that an embedded database needs, and when it becomes scarce.
const (
	roomLeast  = 128 << 20
	roomScarce = 1 << 30
)

func checkDisk(_ context.Context, p *Patient) (Result, error) {
	if p.DiskFunc == nil {
		return skipped("the database is not a file of this machine"), nil
	}
	d, err := p.DiskFunc()
	if err != nil {
		return Result{}, err
	}
	text := fmt.Sprintf("%s of %s free", Size(d.Free), Size(d.Total))
	var list []Finding
	f := Finding{Problem, text + ": writes are about to be refused", "the file system of the database is full", "df -h " + d.Folder}
	switch {
	case d.Free < roomLeast:
		list = append(list, f)
	case d.Free < roomScarce && d.Free < d.Total/10:
		f.State, f.Text, f.Cause = Warning, text, "the file system of the database fills up"
		list = append(list, f)
	}
	return found(list, text), nil
}

// fleetOf reads what is ordered and what the replicas report.
func fleetOf(ctx context.Context, p *Patient) (*chatops.Fleet, error) {
	controls, err := p.Store.Controls(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := p.Store.Instances(ctx)
	return &chatops.Fleet{Controls: controls, Replicas: replicas}, err
}
