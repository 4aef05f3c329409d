package engineio

import (
	"testing"
	"unsafe"
)

// What every connection has stays in its size class.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"Session":   {unsafe.Sizeof(Session{}), 416},
		"webSocket": {unsafe.Sizeof(webSocket{}), 288},
		"inlet":     {unsafe.Sizeof(inlet{}), 64},
	} {
		if size[0] > size[1] {
			t.Errorf("%s has %d bytes, its budget is %d", name, size[0], size[1])
		}
	}
}
