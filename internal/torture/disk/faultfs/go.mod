// The file system that torture-disk damages, apart from the product's modules.
module fairlead/internal/torture/disk/faultfs

go 1.26

require github.com/hanwen/go-fuse/v2 v2.12.1

require golang.org/x/sys v0.28.0 // indirect
