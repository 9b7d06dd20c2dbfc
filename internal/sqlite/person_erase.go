package sqlite

import (
	"context"
	"errors"
	"slices"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	countMessages       = `select count(*) from chat_messages where conversation_id in (select value from json_each(?))`
	countFollowups      = `select count(*) from followup_event where conversation_id in (select value from json_each(?))`
	deleteConversations = `delete from chat_conversations where id in (select value from json_each(?))`

	emptied = `session_id = null, name = null, email = null, phone = null, interested_package = null,
  property_size = null, property_type = null, location = null, message = null, notes = null, monday_item_id = null,
  marketing_consent = false, rodo_consent = false`

	emptyLeads = `update leads set ` + emptied + `, updated_at = ?2 where id in (select value from json_each(?1))`

	leadItems = `
select monday_item_id from leads
where id in (select value from json_each(?)) and coalesce(monday_item_id, '') <> '' order by id`

	deleteArchive = `delete from adoption_archive where exists (
  select 1 from json_each(?1) name where instr(lower(data), lower(name.value)) > 0)`

	deleteReplies = `delete from idempotency_key where exists (
  select 1 from json_each(?1) name where instr(lower(coalesce(reply, '')), lower(name.value)) > 0)`

	countAttempts  = `select count(*) from delivery_attempt where alert_id in (select d.id ` + personAlerts + `)`
	deliveredTo    = `select d.target, count(*) ` + personAlerts + ` and d.delivered_at is not null group by 1 order by 1`
	deleteAlertsOf = `delete from dead_letter_queue where id in (select d.id ` + personAlerts + `)`

	auditEmptied = `email = '', ip_address = null, user_agent = null, reason = null, notes = null, salt = null`
	auditPlain   = `(email <> '' or salt is not null
  or coalesce(ip_address, '') || coalesce(user_agent, '') || coalesce(reason, '') || coalesce(notes, '') <> '')`

	emptyAudit = `
update consent_audit_log set ` + auditEmptied + `
where (lower(email) in (select value from json_each(?1)) or conversation_id in (select value from json_each(?2))
    or lead_id in (select value from json_each(?3))) and ` + auditPlain

	suppressedAll = `
select count(*) from suppression where scope = 'all' and email_key in (select value from json_each(?))`

	queuedAlert = `select id from dead_letter_queue where idempotency_key = ?`
)

// errDryRun ends the transaction of an erasure that is only tried.
var errDryRun = chatops.Errorf(chatops.CodeRefused, "erasure was a dry run")

// ErasePerson erases what is known of an address, in one transaction; a dry run
// does the same and is rolled back.
func (s *Store) ErasePerson(ctx context.Context, e chatops.Erasure) (*chatops.ErasureReceipt, error) {
	key := text(e.EmailKey)
	m := s.mailbox(key)
	switch {
	case key == "":
		return nil, chatops.Errorf(chatops.CodeInvalid, "erasure: must name an e-mail address")
	case len(m.Suppressing) < 2:
		return nil, chatops.Errorf(chatops.CodeInvalid, "erasure: no consent key to remember the address by: set CONSENT_KEYS")
	}
	var r *chatops.ErasureReceipt
	err := s.write(ctx, func(tx *writeTx) error {
		x := eraser{tx: tx, m: m, receipt: &chatops.ErasureReceipt{}}
		if err := x.run(&e); err != nil {
			return err
		}
		r = x.receipt
		if e.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, err
	}
	return r, nil
}

// eraser is one erasure.
type eraser struct {
	tx      *writeTx
	m       consent.Mailbox
	receipt *chatops.ErasureReceipt
}

func (x *eraser) exec(table, how, query string, args ...any) error {
	n, err := x.tx.exec(query, args...)
	x.receipt.Add(table, how, n)
	return err
}

func (x *eraser) count(table, query string, args ...any) error {
	var n int64
	err := x.tx.row(query, args...).Scan(&n)
	x.receipt.Add(table, "deleted", n)
	return err
}

func (x *eraser) run(e *chatops.Erasure) error {
	f, err := find(x.tx.each, x.m.Spellings)
	if err != nil {
		return err
	}
	spellings, names := jsonArray(x.m.Spellings), f.names(x.m.Spellings)
	conversations, leads := jsonArray(f.conversations), jsonArray(f.leads)
	items, err := x.items(leads)
	if err != nil {
		return err
	}
	if err := x.recipients(names); err != nil {
		return err
	}
	var all int64
	if err := x.tx.row(suppressedAll, spellings).Scan(&all); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return x.count("chat_messages", countMessages, conversations) },
		func() error { return x.count("followup_event", countFollowups, conversations) },
		func() error { return x.exec("chat_conversations", "deleted", deleteConversations, conversations) },
		func() error { return x.exec("leads", "emptied", emptyLeads, leads, stamp(x.tx.now)) },
		func() error { return x.count("delivery_attempt", countAttempts, names) },
		func() error { return x.exec("dead_letter_queue", "deleted", deleteAlertsOf, names) },
		func() error { return x.exec("idempotency_key", "deleted", deleteReplies, names) },
		func() error { return x.exec("adoption_archive", "deleted", deleteArchive, names) },
		func() error {
			return x.exec("consent_audit_log", "emptied", emptyAudit, spellings, conversations, leads)
		},
		func() error { return x.exec("suppression", "deleted", liftSuppression, spellings) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(x.receipt.Tables, func(t chatops.ErasedTable) bool { return t.Rows > 0 }) {
		return chatops.Errorf(chatops.CodeNotFound, "erasure of this address: nothing is known of it")
	}
	return x.remember(e, items, all > 0)
}

// remember leaves the tombstone.
func (x *eraser) remember(e *chatops.Erasure, items []string, all bool) error {
	scope := "marketing"
	if all {
		scope = "all"
	}
	marks := x.m.Suppressing[1:]
	for _, mark := range marks {
		if _, err := x.tx.exec(suppress, mark, scope, string(chatops.ActionErase), stamp(x.tx.now)); err != nil {
			return err
		}
	}
	if err := x.deleteItems(e, items); err != nil {
		return err
	}
	entry := auditEntry(chatops.ActionErase, "", e.Origin.Clipped())
	entry.Notes = marks[0]
	return x.tx.audit(entry)
}

func (x *eraser) items(leads string) (items []string, err error) {
	err = x.tx.each(leadItems, func(row scanner) error {
		var item string
		err := row.Scan(textColumn{&item})
		items = append(items, item)
		return err
	}, leads)
	return items, err
}

// recipients lists who was told about the person.
func (x *eraser) recipients(names string) error {
	return x.tx.each(deliveredTo, func(row scanner) error {
		var r chatops.ErasedRecipient
		err := row.Scan(&r.Name, &r.Alerts)
		x.receipt.Recipients = append(x.receipt.Recipients, r)
		return err
	}, names)
}

// deleteItems queues the deletion of the items at Monday.
func (x *eraser) deleteItems(e *chatops.Erasure, items []string) error {
	if !e.MondayDeletion || len(items) == 0 {
		return nil
	}
	x.receipt.Recipients = slices.DeleteFunc(x.receipt.Recipients, func(r chatops.ErasedRecipient) bool {
		return r.Name == chatops.TargetMondayLeads
	})
	for _, item := range items {
		alert, err := chatops.MondayDeletion(item)
		if err != nil {
			return err
		}
		r := chatops.ErasedRecipient{Name: alert.Target, Alerts: 1, Status: "would be asked"}
		if !e.DryRun {
			if _, err := x.tx.enqueue([]chatops.NewAlert{alert}); err != nil {
				return err
			}
			if err := x.tx.row(queuedAlert, alert.IdempotencyKey).Scan(&r.AlertID); err != nil {
				return err
			}
			r.Status = string(chatops.AlertQueued)
		}
		x.receipt.Recipients = append(x.receipt.Recipients, r)
	}
	return nil
}
