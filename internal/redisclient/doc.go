// Package redisclient opens a client for the Redis that an address names: one
// server, a master that Sentinels watch over, or a Cluster; in clear text, over
// TLS or through a Unix socket; with a password or an ACL user.
//
//	redis://[user:password@]host[:6379][/db]
//	rediss://...                        the same over TLS
//	unix://[user:password@]/path/redis.sock[?db=1]
//	redis+sentinel://[user:password@]host1[:26379],host2/mastername[/db]
//	redis+cluster://[user:password@]host1[:6379],host2
//	rediss+sentinel://..., rediss+cluster://...
//
// Options follow "?": ca (file of the certificates to trust, PEM), cert and key
// (files of a client certificate, PEM), server_name (that the server's
// certificate must be for), db, and for Sentinels that demand a password of
// their own sentinel_username and sentinel_password. Characters that mean
// something in an address are percent-encoded.
//
// Its promise: a command waits no longer than its context allows, and without a
// deadline for a fraction of a second; no command is sent twice because its
// answer did not come, except in a Cluster, which sends it on; a client made once
// finds its servers again by itself after a failover, a restart or a network that
// was cut; and no error of this package shows a password.
//
// Opening connects to nothing: a Redis that is down does not keep the program
// from starting. What Redis is used for must do without it for a while, so the
// caller has to have another answer at hand.
//
// An ACL user needs, besides the commands it is for, hello and, where db is not
// 0, select; in a Cluster also cluster|slots and cluster|shards, and on
// Sentinels the commands of sentinel and subscribe.
package redisclient
