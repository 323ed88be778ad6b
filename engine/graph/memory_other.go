//go:build !unix

package graph

import "easel/engine/kernel"

func allocate(n int) ([]byte, func([]byte), error) { return kernel.AlignedBytes(n), nil, nil }

func available() int64 { return 0 }
