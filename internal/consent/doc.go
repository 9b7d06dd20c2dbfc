// Package consent holds the rules by which consent is kept: what two spellings
// of an address have in common (ParseEmail, LooseKey), what stays of an address
// that was erased (Marks), links that act for a person (Tokens), the secrets
// behind both (ParseKeys), and the chain of the audit log (Commitment, Hash,
// Verify, Anchor).
//
// It promises that a token shows no address, that nothing which was not signed
// here for the same purpose is accepted, that all refusals look alike, and that
// any change to a row of the chain is found and named by its number. Whoever can
// write the database can also build another chain from the start: only an
// anchor that is kept elsewhere finds that.
//
// The package is pure. It reads and writes no database, and sends nothing.
package consent
