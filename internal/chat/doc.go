// Package chat is the bot: it reads what a visitor writes in Polish or English,
// answers from the knowledge base, collects contact data and facts about the
// flat, has them confirmed, and stores the lead together with its alerts.
//
// # Reading
//
// An Extractor finds name, e-mail, phone (E.164), city (nominative), square
// metres (rounded), budget (whole PLN) and package. It reports only what the
// message says: nothing is guessed or converted from another currency. No
// message makes it fail, and 4,000 characters take well under 5 ms. Words are
// compared folded (lower case, no diacritics), city names in any inflected form
// (inflect.go makes them by rule from data/cities.txt), and one typing error is
// forgiven in words of five letters and more.
//
// # Answering
//
// An Index over the Knowledge entries finds the topics that a message speaks of,
// in microseconds, and can say why. Keywords are phrases of terms that must all
// stand in one sentence; the best phrase of an entry counts. A model learned from
// the entries' example questions weighs the words: it decides where several
// phrases match, or none, and whether a message asks anything at all. The answer
// uses the language of the message; where that cannot be told, the one used
// before.
//
// A knowledge base is a folder (see knowledge/ for the embedded one):
//
//	company.toml         who the bot speaks for
//	packages.toml        the price list
//	pl/dialogue.toml     what the bot says between answers; en/ likewise
//	pl/<topic>.toml      an entry per topic; en/ likewise
//	words.toml           groups of words that mean alike (optional)
//	pl/statements.toml   messages that ask nothing; en/ likewise (optional)
//	pl/followup.toml     mails to people who stopped writing; en/ likewise (optional)
//
// CheckKnowledge looks for what is wrong with one.
//
// # Lead score
//
// The score is the sum of what is known. Knowing more never lowers it, and a
// complete set without booking intent reaches 92.
//
//	phone           20   a call sells best
//	e-mail          15
//	square metres   15   with the package, the value of the order
//	package         12
//	name            10
//	city            10
//	budget          10
//	booking intent   8   asked for a consultation in any message
//
// # Dialogue
//
// While facts are missing the bot asks for them: square metres or city, name,
// contact. Once name, a contact and one detail of the flat are known, it shows
// the data and awaits a confirmation. Only there does a yes count, and only as
// an act of its own: a question meanwhile is answered and the confirmation stays
// pending, a correction is taken over and shown again. The confirmation stores
// the lead with its alerts in one transaction; facts changed later are confirmed
// again and update it without new alerts. A turn that loses a race against
// another turn of the session is run again on the new state.
//
// # Requests that are repeated
//
// A request with a key has one effect and one answer (once.go). The same message
// of a session that comes again while it is being answered gets the same answer
// (repost.go).
//
// # Language model
//
// Where an Answerer is set, it words the answers to questions from the entries
// that were found; what the dialogue says and decides is never left to it. Its
// call happens before the turn is stored and holds no transaction.
//
// The package knows no store: alerts are queued for the delivery engine,
// conversations go through chatops.ConversationStore.
package chat
