/* The built console as read-only data: app/console_pack.cpp gives it a type. */
        .section .rodata
        .global troupe_console_begin
        .global troupe_console_end
        .balign 16
troupe_console_begin:
        .incbin TROUPE_CONSOLE_PACK
troupe_console_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits
