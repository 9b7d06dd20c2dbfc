package migrations

import (
	"context"
	"strings"

	"chatops/internal/chatops"
)

// olderTables are the tables that an older application of ours may have left.
var olderTables = []string{
	"chat_conversations", "chat_messages", "leads", "followup_event", "followup_events",
	"consent_audit_log", "dead_letter_queue",
}

// refuseForeign stops Up before it fails halfway in a database that was never
// migrated and yet holds such tables. Taking them over will begin here; see
// docs/decisions/0020-migrations.md.
func (m *Migrator) refuseForeign(ctx context.Context) error {
	var found []string
	for _, name := range olderTables {
		exists, err := m.engine.tableExists(ctx, m.db, name)
		if err != nil {
			return m.translate(err)
		}
		if exists {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return nil
	}
	// Another migrator may have made them since the version was read.
	if applied, err := m.engine.applied(ctx, m.db); err != nil || len(applied) > 0 {
		return m.translate(err)
	}
	return chatops.Errorf(chatops.CodeConflict,
		"database was never migrated by chatops but holds %s: use an empty database; taking over an older one is not supported yet",
		strings.Join(found, ", "))
}
