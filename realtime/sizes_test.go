package realtime

import (
	"testing"
	"unsafe"
)

// What every socket has stays in its size class: a word more costs each of a
// million clients 32 bytes, or 64.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"Socket":   {unsafe.Sizeof(Socket{}), 416},
		"client":   {unsafe.Sizeof(client{}), 144},
		"origin":   {unsafe.Sizeof(origin{}), 48},
		"listener": {unsafe.Sizeof(listener{}), 48},
	} {
		if size[0] > size[1] {
			t.Errorf("%s has %d bytes, its budget is %d", name, size[0], size[1])
		}
	}
}
