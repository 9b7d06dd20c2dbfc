package chat

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// CreateLead stores a lead that came through a form instead of a conversation:
// it is scored, gets the consent that was given with it, else that of the mode,
// and its alerts are queued in the same transaction. With a key, a repeated
// request gets the first lead again and replayed is true. Errors: those of
// chatops.LeadStore and chatops.OnceStore, and CodeInvalid for a consent text
// that does not exist.
func (s *Service) CreateLead(
	ctx context.Context, lead *chatops.Lead, key *chatops.OnceKey, consent chatops.ChatConsent,
) (stored *chatops.Lead, replayed bool, err error) {
	if s.opts.Leads == nil {
		return nil, false, chatops.Errorf(chatops.CodeInternal, "chat has no store for leads")
	}
	if key == nil {
		stored, err = s.createLead(ctx, lead, nil, consent)
		return stored, false, err
	}
	kept, err := s.once(ctx, key, func() (_ *chatops.KeptReply, err error) {
		stored, err = s.createLead(ctx, lead, &chatops.OnceReply{OnceKey: *key, Status: http.StatusCreated, Keep: onceKeep}, consent)
		if err != nil {
			return nil, err
		}
		return &chatops.KeptReply{Status: http.StatusCreated, RecordID: stored.ID}, nil
	})
	if err != nil || kept == nil {
		return stored, false, err
	}
	stored, err = s.opts.Leads.Lead(ctx, kept.RecordID)
	return stored, true, err
}

func (s *Service) createLead(
	ctx context.Context, lead *chatops.Lead, once *chatops.OnceReply, consent chatops.ChatConsent,
) (*chatops.Lead, error) {
	l := *lead
	// A session of its own, which no conversation has, names the lead to the
	// receivers of its alerts.
	l.SessionID = newSessionID()
	if l.Source == "" {
		l.Source = chatops.LeadSource
	}
	l.Status = chatops.LeadNew
	l.DataConfirmed = true
	implied := s.opts.ConsentMode == ConsentImplied
	said, err := s.said(ctx, consent, &chatops.Conversation{MarketingConsent: implied, RODOConsent: implied}, "", channelForm)
	if err != nil {
		return nil, err
	}
	l.MarketingConsent, l.RODOConsent = saidOr(consent.Marketing, implied), saidOr(consent.RODO, implied)
	facts := factsOf(&l)
	l.LeadScore = Score(&facts)
	alerts, err := s.leadAlerts(&l, &facts, s.opts.NowFunc().UTC())
	if err != nil {
		return nil, err
	}
	stored, err := s.opts.Leads.CreateLead(ctx, &l, alerts, once, said...)
	if err != nil {
		return nil, err
	}
	s.opts.WakeFunc()
	return stored, nil
}

// factsOf reads a lead as the facts of a conversation.
func factsOf(l *chatops.Lead) chatops.Facts {
	f := chatops.Facts{Name: l.Name, Email: l.Email, Phone: l.Phone, City: l.Location, Package: l.InterestedPackage}
	if n, err := strconv.Atoi(strings.TrimSpace(l.PropertySize)); err == nil && n > 0 {
		f.SquareMeters = n
	}
	return f
}
