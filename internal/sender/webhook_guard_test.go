package sender

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestIsPublic_RefusesWhatIsNotOnTheInternet(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"127.0.0.1", "127.8.8.8", "::1", "::", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "100.64.0.1", "100.127.255.254", "192.0.0.1",
		"192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "ff02::1", "240.0.0.1", "255.255.255.255",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
		"2002:7f00:1::", "2001::1", "2001:db8::1", "fec0::1", "100::1",
	} {
		if isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as public", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		if !isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as private", text)
		}
	}
}

func TestIsPublic_JudgesAMappedAddressLikeTheIPv4One(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v4 := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		mapped := netip.AddrFrom16(v4.As16())
		if isPublic(v4) != isPublic(mapped) {
			t.Fatalf("%s and %s are judged differently", v4, mapped)
		}
	})
}

func TestPublicOnly_RefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "host:80", "1.1.1.1", "/run/socket", "127.0.0.1:80", "[fe80::1%lo]:80"} {
		if err := publicOnly("tcp", address, nil); !errors.Is(err, errBlockedAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := publicOnly("tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}
