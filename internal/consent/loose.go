package consent

import "strings"

// LooseKey returns what the addresses of one mailbox have in common, so far as
// their providers say it: the key without a plus tag, at Gmail also without dots
// and under one domain. A suppression holds for all of them: somebody who opted
// out as jan@x.pl is not written to as jan+news@x.pl. It is used to leave people
// alone, never to write to them or to tell who they are.
func LooseKey(key string) string {
	local, domain, ok := strings.Cut(key, "@")
	if !ok {
		return key
	}
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		if local = strings.ReplaceAll(local, ".", ""); local == "" {
			return key
		}
	}
	return local + "@" + domain
}
