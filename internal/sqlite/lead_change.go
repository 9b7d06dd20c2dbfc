package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"chatops/internal/chatops"
)

const (
	// changeLead leaves what is null as it is.
	changeLead = `
update leads set name = nullif(coalesce(?2, name), ''), email = nullif(coalesce(?3, email), ''),
  phone = nullif(coalesce(?4, phone), ''), message = nullif(coalesce(?5, message), ''),
  notes = nullif(coalesce(?6, notes), ''), interested_package = nullif(coalesce(?7, interested_package), ''),
  property_size = nullif(coalesce(?8, property_size), ''), property_type = nullif(coalesce(?9, property_type), ''),
  location = nullif(coalesce(?10, location), ''), status = coalesce(?11, status), updated_at = ?12
where id = ?1
returning ` + leadColumns

	setLeadStatus = `
update leads set status = ?1, updated_at = ?2 where id in (select value from json_each(?3)) returning id`
)

// CreateLead stores a lead that no conversation made, its alerts and the reply for repeated
// requests, in one transaction.
func (s *Store) CreateLead(
	ctx context.Context, l *chatops.Lead, alerts []chatops.NewAlert, once *chatops.OnceReply, said ...chatops.ConsentSaid,
) (*chatops.Lead, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if err := chatops.CheckSaid(l, said); err != nil {
		return nil, err
	}
	if err := validateAlerts(alerts); err != nil {
		return nil, err
	}
	if err := validateOnce(once); err != nil {
		return nil, err
	}
	var stored chatops.Lead
	err := s.write(ctx, func(tx *writeTx) error {
		id, err := tx.addLead(textOrNull(l.SessionID), l)
		if errors.Is(err, sql.ErrNoRows) {
			return chatops.Errorf(chatops.CodeConflict, "this session has a lead already")
		}
		if err != nil {
			return err
		}
		if err := tx.restrictLead(id, s.suppressing(l.Email), chatops.SaysRODO(said)); err != nil {
			return err
		}
		if _, err = tx.enqueue(alerts); err != nil {
			return err
		}
		if err := tx.auditLead(id, text(l.Email), said); err != nil {
			return err
		}
		if once != nil {
			if err = tx.keepReply(once, id); err != nil {
				return err
			}
		}
		return scanLead(tx.row(selectLeadByID, id), &stored)
	})
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// UpdateLead changes a lead and returns it before and after, in one transaction.
func (s *Store) UpdateLead(ctx context.Context, id int64, change chatops.LeadChange) (before, after *chatops.Lead, err error) {
	if err := change.Validate(); err != nil {
		return nil, nil, err
	}
	before, after = &chatops.Lead{}, &chatops.Lead{}
	err = s.write(ctx, func(tx *writeTx) error {
		if err := scanLead(tx.row(selectLeadByID, id), before); err != nil {
			return err
		}
		return scanLead(tx.row(changeLead, id, textIfSet(change.Name), textIfSet(change.Email), textIfSet(change.Phone),
			textIfSet(change.Message), textIfSet(change.Notes), textIfSet(change.InterestedPackage),
			textIfSet(change.PropertySize), textIfSet(change.PropertyType), textIfSet(change.Location),
			textIfSet((*string)(change.Status)), stamp(tx.now)), after)
	})
	if err != nil {
		return nil, nil, notFound(err, "lead %d: not found", id)
	}
	return before, after, nil
}

// textIfSet is text, with nil as null.
func textIfSet(s *string) any {
	if s == nil {
		return nil
	}
	return text(*s)
}

// SetLeadStatus sets the state of several leads in one transaction.
func (s *Store) SetLeadStatus(
	ctx context.Context, ids []int64, status chatops.LeadStatus,
) (changed int, missing []int64, err error) {
	change := chatops.LeadChange{Status: &status}
	if err := change.Validate(); err != nil {
		return 0, nil, err
	}
	if len(ids) == 0 {
		return 0, nil, nil
	}
	found := make(map[int64]bool, len(ids))
	err = s.write(ctx, func(tx *writeTx) error {
		clear(found)
		return tx.each(setLeadStatus, func(row scanner) error {
			var id int64
			err := row.Scan(&id)
			found[id] = true
			return err
		}, string(status), stamp(tx.now), jsonArray(ids))
	})
	if err != nil {
		return 0, nil, err
	}
	changed = len(found)
	for _, id := range ids {
		if !found[id] {
			found[id] = true // once each
			missing = append(missing, id)
		}
	}
	return changed, missing, nil
}
