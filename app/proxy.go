package app

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// compileTrust makes a function of the setting "trust proxy": whether to trust an address that is hop proxies away.
//
//	true                            every proxy: only behind one that overwrites X-Forwarded-For
//	false                           none
//	2                               that many proxies, nearest first
//	"loopback, 10.0.0.0/8"          addresses, networks, and the names loopback, linklocal and uniquelocal
//	[]string{"loopback", …}         the same
//	func(address string, hop int) bool
func compileTrust(v any) (func(address string, hop int) bool, error) {
	switch v := v.(type) {
	case bool:
		if !v {
			return nil, nil
		}
		return func(string, int) bool { return true }, nil
	case int:
		return func(_ string, hop int) bool { return hop < v }, nil
	case string:
		return compileTrust(strings.Split(v, ","))
	case []string:
		return trustNetworks(v)
	case func(string, int) bool:
		return v, nil
	}
	return nil, fmt.Errorf("it is a bool, an int, a string, a []string or a func(address string, hop int) bool, not a %T", v)
}

func trustNetworks(names []string) (func(string, int) bool, error) {
	var trusted []netip.Prefix
	for _, name := range names {
		name = strings.TrimSpace(name)
		ranges := []string{name}
		switch name {
		case "loopback":
			ranges = []string{"127.0.0.0/8", "::1/128"}
		case "linklocal":
			ranges = []string{"169.254.0.0/16", "fe80::/10"}
		case "uniquelocal":
			ranges = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}
		}
		for _, r := range ranges {
			prefix, err := network(r)
			if err != nil {
				return nil, fmt.Errorf("%q is no address, network (10.0.0.0/8) or name (loopback, linklocal, uniquelocal)", name)
			}
			trusted = append(trusted, prefix)
		}
	}
	return func(address string, _ int) bool {
		ip, err := netip.ParseAddr(address)
		return err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(mapped(ip)) })
	}, nil
}

// network reads an address or a network: 10.0.0.1, 10.0.0.0/8, 10.0.0.0/255.0.0.0, fd00::/8.
func network(s string) (netip.Prefix, error) {
	address, bits, isRange := strings.Cut(s, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, err
	}
	n := ip.BitLen()
	if isRange {
		if n, err = prefixLength(bits); err != nil {
			return netip.Prefix{}, err
		}
	}
	if n < 0 || n > ip.BitLen() {
		return netip.Prefix{}, fmt.Errorf("%q has no such prefix", s)
	}
	return netip.PrefixFrom(mapped(ip), 128-ip.BitLen()+n), nil
}

// mapped is an address as all are compared: one of IPv4 as ::ffff:10.0.0.1, and none with a zone.
func mapped(ip netip.Addr) netip.Addr { return netip.AddrFrom16(ip.As16()) }

// prefixLength reads the 8 of 10.0.0.0/8, which may be written 255.0.0.0.
func prefixLength(s string) (int, error) {
	mask, err := netip.ParseAddr(s)
	if err != nil || !mask.Is4() {
		return strconv.Atoi(s)
	}
	m := mask.As4()
	if ones, size := net.IPMask(m[:]).Size(); size != 0 {
		return ones, nil
	}
	return 0, fmt.Errorf("%q is no netmask", s)
}

// forwarded are the addresses on the way to the client, nearest first, as far as they are trusted: all but the last
// are trusted proxies.
func (r *Request) forwarded() []string {
	trust := r.x.app.options.trustProxy
	chain := []string{r.remoteIP()}
	if trust == nil {
		return chain
	}
	list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, address := range slices.Backward(list) {
		if address = strings.TrimSpace(address); address == "" {
			continue
		}
		if !trust(chain[len(chain)-1], len(chain)-1) {
			break
		}
		chain = append(chain, address)
	}
	return chain
}
