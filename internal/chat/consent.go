package chat

import (
	"context"

	"chatops/internal/chatops"
)

// ConsentTexts are the wordings that people agree to; chatops.ConsentTextStore
// has them.
type ConsentTexts interface {
	// CurrentConsentText returns the wording that is shown now; CodeNotFound when
	// there is none.
	CurrentConsentText(ctx context.Context, kind chatops.ConsentKind, locale string) (*chatops.ConsentText, error)
	// ConsentText returns a wording by its number; CodeNotFound when there is none.
	ConsentText(ctx context.Context, id int64) (*chatops.ConsentText, error)
}

// Where consent is given.
const (
	channelChat = "chat"
	channelForm = "form"
)

// said is what a visitor says about consent, for the record. before holds the
// flags before it; locale is the language that they are spoken to in.
func (s *Service) said(
	ctx context.Context, c chatops.ChatConsent, before *chatops.Conversation, locale, channel string,
) ([]chatops.ConsentSaid, error) {
	if c.Locale != "" {
		locale = c.Locale
	}
	var list []chatops.ConsentSaid
	for _, one := range []struct {
		kind   chatops.ConsentKind
		answer *bool
		was    bool
		text   int64
	}{
		{chatops.KindMarketing, c.Marketing, before.MarketingConsent, c.MarketingText},
		{chatops.KindRODO, c.RODO, before.RODOConsent, c.RODOText},
	} {
		if one.answer == nil || !*one.answer && !one.was && before.Version == 0 {
			continue // a box that was never ticked
		}
		said := chatops.ConsentSaid{Kind: one.kind, Given: *one.answer, Was: one.was, Locale: locale, Channel: channel, Origin: c.Origin}
		if said.Given {
			text, err := s.wording(ctx, one.kind, one.text, locale)
			if err != nil {
				return nil, err
			}
			said.Text = *text
		}
		list = append(list, said)
	}
	return list, nil
}

// wording is the text that was agreed to: the one that the client says it has
// shown, else the current one.
func (s *Service) wording(ctx context.Context, kind chatops.ConsentKind, id int64, locale string) (*chatops.ConsentText, error) {
	if s.opts.Texts == nil {
		return &chatops.ConsentText{}, nil
	}
	if id == 0 {
		text, err := s.opts.Texts.CurrentConsentText(ctx, kind, locale)
		if chatops.ErrorCode(err) == chatops.CodeNotFound {
			return &chatops.ConsentText{}, nil
		}
		return text, err
	}
	text, err := s.opts.Texts.ConsentText(ctx, id)
	if chatops.ErrorCode(err) == chatops.CodeNotFound || err == nil && text.Kind != kind {
		return nil, chatops.Errorf(chatops.CodeInvalid, "consent.%s_text names no text of this consent", kind)
	}
	return text, err
}

// saidOr is an answer, or what holds without one.
func saidOr(answer *bool, otherwise bool) bool {
	if answer != nil {
		return *answer
	}
	return otherwise
}
