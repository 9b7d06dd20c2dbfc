package sender

import (
	"strings"

	"chatops/internal/chatops"
)

// mondayCodes classifies the codes that Monday documents (developer.monday.com,
// "Error handling" and "Rate limits") and the usual ones of GraphQL servers,
// folded. An invalid value is permanent; an
// invalid board, column, right or schema is the operator's to correct.
var mondayCodes = map[string]chatops.FailureKind{
	"apitemporarilyblocked":  chatops.FailRateLimited,
	"complexityexception":    chatops.FailRateLimited,
	"fieldlimitexceeded":     chatops.FailRateLimited,
	"maxconcurrencyexceeded": chatops.FailRateLimited,
	"toomanyrequests":        chatops.FailRateLimited,

	"forbidden":                  chatops.FailMisconfigured,
	"invalidapikey":              chatops.FailMisconfigured,
	"invalidboardidexception":    chatops.FailMisconfigured,
	"invalidcolumnidexception":   chatops.FailMisconfigured,
	"invalidtoken":               chatops.FailMisconfigured,
	"invalidversionexception":    chatops.FailMisconfigured,
	"itemslimitationexception":   chatops.FailMisconfigured,
	"missingrequiredpermissions": chatops.FailMisconfigured,
	"notauthenticated":           chatops.FailMisconfigured,
	"resourcenotfoundexception":  chatops.FailMisconfigured,
	"unauthenticated":            chatops.FailMisconfigured,
	"unauthorized":               chatops.FailMisconfigured,
	"unauthorizedfieldortype":    chatops.FailMisconfigured,
	"useraccessdenied":           chatops.FailMisconfigured,
	"userunauthorized":           chatops.FailMisconfigured,
	"userunauthorizedexception":  chatops.FailMisconfigured,
	"userunauthroizedexception":  chatops.FailMisconfigured, // as versions before 2024-01 spell it

	"badrequest":               chatops.FailPermanent,
	"baduserinput":             chatops.FailPermanent,
	"columnvalueexception":     chatops.FailPermanent,
	"correctedvalueexception":  chatops.FailPermanent,
	"invalidargumentexception": chatops.FailPermanent,
	"invalidinputexception":    chatops.FailPermanent,
	"itemnametoolongexception": chatops.FailPermanent,
	"jsonparseexception":       chatops.FailPermanent,
	"recordinvalidexception":   chatops.FailPermanent,

	"cursorexception":     chatops.FailTransient,
	"internalservererror": chatops.FailTransient,
	"resourcelocked":      chatops.FailTransient,
	"serviceunavailable":  chatops.FailTransient,
	"timeout":             chatops.FailTransient,
}

// schemaCodes say that the server does not know what was asked for: another
// version of the API, or not Monday.
var schemaCodes = map[string]bool{
	"argumentnotaccepted": true, "graphqlparsefailed": true, "graphqlvalidationexception": true,
	"graphqlvalidationfailed": true, "missingrequiredarguments": true, "parseerror": true,
	"undefinedfield": true, "undefinedtype": true, "invalidcolumnidexception": true,
}

func isSchemaCode(code string) bool { return schemaCodes[fold(code)] }

// kind classifies the error. Known is false where it says nothing that we
// understand; then it is transient, so that it is tried again and given up in
// the usual way.
func (e *mondayError) kind() (kind chatops.FailureKind, known bool) {
	code := fold(e.code)
	if kind, ok := mondayCodes[code]; ok {
		return kind, true
	}
	switch message := strings.ToLower(e.message); {
	case strings.Contains(code, "ratelimit"), strings.Contains(code, "limitexceeded"), strings.Contains(code, "complexity"):
		return chatops.FailRateLimited, true
	case isSchemaCode(e.code):
		return chatops.FailMisconfigured, true
	case e.status >= 400:
		return statusKind(e.status), true
	case strings.Contains(message, "not authenticated"):
		return chatops.FailMisconfigured, true
	case strings.Contains(message, "complexity budget"), strings.Contains(message, "rate limit"):
		return chatops.FailRateLimited, true
	}
	return chatops.FailTransient, false
}

// fold makes COMPLEXITY_BUDGET_EXHAUSTED and ComplexityBudgetExhausted equal.
func fold(code string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(code))
}
