package chatops

import "time"

// The purposes of signed links. A token made for one is worth nothing for
// another.
const (
	// PurposeUnsubscribe lets a person see and withdraw what they agreed to. It
	// never expires: a withdrawal must work from the oldest mail.
	PurposeUnsubscribe = "unsubscribe"
	// PurposeConfirm gives marketing consent: only whoever reads the address's
	// mail has it.
	PurposeConfirm = "confirm"
)

// ConfirmLifetime is how long the link of a confirmation mail works.
const ConfirmLifetime = 48 * time.Hour

// TargetConsentMail is where mails about somebody's consent go. The payload
// holds the address, so that lists of alerts do not show it.
const TargetConsentMail = "email:consent"
