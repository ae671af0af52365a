// Builds a peer of the load tests as others released it: make build/peers/centrifugo
module peers

go 1.23.0

require github.com/centrifugal/centrifugo/v5 v5.4.9
