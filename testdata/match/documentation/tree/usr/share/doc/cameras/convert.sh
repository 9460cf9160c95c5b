#!/bin/sh
# example only: how the maker's own script reads its board
cat /proc/dahua/bootpara
