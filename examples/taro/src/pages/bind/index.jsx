import { Button, Input, Text, View } from '@tarojs/components'
import { useState } from 'react'
import { session } from '../../session'

export default function Bind() {
  const [form, setForm] = useState({ account: '', password: '' })
  const [said, setSaid] = useState('')
  const set = field => event => setForm(old => ({ ...old, [field]: event.detail.value }))

  // On success the client goes back to where the person was.
  const bind = () => session.bind({ form }).catch(error => setSaid(error.message))

  return (
    <View>
      <Text className='said'>{said}</Text>
      <Input className='account' placeholder='Account' onInput={set('account')} />
      <Input className='password' password placeholder='Password' onInput={set('password')} />
      <Button className='bind' onClick={bind}>Link my account</Button>
    </View>
  )
}
