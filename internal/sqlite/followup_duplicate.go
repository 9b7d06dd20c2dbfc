package sqlite

import (
	"context"
	"encoding/json"

	"chatops/internal/chatops"
)

const (
	// uniqueFollowups looks for the rule, whatever the name under which it is
	// enforced.
	uniqueFollowups = `
select exists (
  select 1 from pragma_index_list('followup_event') i
  where i."unique" and not i.partial
    and (select group_concat(x.name) from (select name from pragma_index_info(i.name) order by name) x)
      = 'conversation_id,followup_number')`

	selectDuplicates = `
select conversation_id, followup_number, count(*), json_group_array(id) from (
  select id, conversation_id, followup_number from followup_event order by conversation_id, followup_number, sent_at, id)
group by conversation_id, followup_number having count(*) > 1 order by conversation_id, followup_number`

	// extraFollowups are all but the earliest of each pair.
	extraFollowups = `
select id from (select id, row_number() over (
    partition by conversation_id, followup_number order by sent_at, id) as place from followup_event)
where place > 1`

	archiveExtras = `
insert into adoption_archive (table_name, row_id, reason, data, archived_at)
select 'followup_event', f.id, 'duplicate of conversation ' || f.conversation_id || ', number ' || f.followup_number,
  json_object('id', f.id, 'conversation_id', f.conversation_id, 'followup_number', f.followup_number,
    'status', f.status, 'sent_at', f.sent_at, 'alert_id', f.alert_id), ?
from followup_event f where f.id in (` + extraFollowups + `)`

	deleteExtras = `delete from followup_event where id in (` + extraFollowups + `)`

	restoreFollowups = `
create unique index if not exists uq_conversation_followup on followup_event (conversation_id, followup_number)`
)

// FollowupDuplicates streams the duplicates; the engine sorts them.
func (s *Store) FollowupDuplicates(ctx context.Context, fn func(chatops.FollowupDuplicate) error) (constraint bool, err error) {
	r := &readTx{ctx: ctx, s: s}
	if err := r.row(uniqueFollowups).Scan(&constraint); err != nil {
		return false, s.place.translate(err)
	}
	var own error
	err = r.each(selectDuplicates, func(row scanner) error {
		var d chatops.FollowupDuplicate
		var ids string
		if err := row.Scan(&d.ConversationID, &d.Number, &d.Count, &ids); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(ids), &d.IDs); err != nil {
			return err
		}
		own = fn(d)
		return own
	})
	if own != nil {
		return constraint, own
	}
	return constraint, s.place.translate(err)
}

// FixFollowupDuplicates archives duplicates and restores the rule in one
// transaction: a unique index of the constraint's name, because SQLite adds no
// constraint to a table that exists.
func (s *Store) FixFollowupDuplicates(ctx context.Context) (archived int64, err error) {
	err = s.place.translate(s.writer.do(ctx, func(tx *writeTx) error {
		if archived, err = tx.exec(archiveExtras, stamp(tx.now)); err != nil {
			return err
		}
		if archived > 0 {
			if _, err := tx.exec(deleteExtras); err != nil {
				return err
			}
		}
		var there bool
		if err := tx.row(uniqueFollowups).Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.exec(restoreFollowups)
		return err
	}))
	if err != nil {
		return 0, err
	}
	return archived, nil
}
